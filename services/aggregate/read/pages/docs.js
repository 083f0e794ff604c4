// Starts Swagger UI on the page /docs. A key that was typed in is forgotten with the page.
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  url: "/openapi.json",
  deepLinking: true,
  defaultModelsExpandDepth: 0, // the schemas stay folded until somebody wants them
  validatorUrl: null, // no validator of another host is asked
});
