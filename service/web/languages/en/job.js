/** Texts of this part of the page. */
export default {};
