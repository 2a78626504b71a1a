"""The OpenAPI document as a page to try it on: Swagger UI, which asks no other host."""
