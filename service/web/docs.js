// Shows the OpenAPI document of this service in Swagger UI; nothing comes from another host.

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
