/** All texts of the page in this language; one file for each part of the page. */

import admin from "./admin.js";
import choose from "./choose.js";
import common from "./common.js";
import findings from "./findings.js";
import job from "./job.js";
import list from "./list.js";
import problems from "./problems.js";

export const table = { ...admin, ...common, ...findings, ...choose, ...job, ...list, ...problems };
