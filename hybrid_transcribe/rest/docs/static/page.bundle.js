// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.
"use strict";
(() => {
  // frontend/docs/page.js sha256=2d4ac2358ad0ee8813966404fd2c52dbb90a548cd756447f0a9d9594d7f08daf
  var address = new URL(location.href);
  var token = address.searchParams.get("token");
  if (address.searchParams.has("token")) {
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }
  var dark = matchMedia("(prefers-color-scheme: dark)");
  var paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();
  var emptyFields = ({ React, getComponent }) => ({
    wrapComponents: {
      JsonSchemaForm: (Form) => class extends React.Component {
        empty = this.props.dispatchInitialValue && !this.props.required;
        componentDidMount() {
          this.empty = false;
        }
        render() {
          const value = this.empty ? "" : this.props.value;
          return React.createElement(Form, { ...this.props, value });
        }
      }
    },
    components: {
      // It looks for this one, and complains, before it takes the plain one.
      JsonSchema_string_binary: (props) => React.createElement(getComponent("JsonSchema_string"), props)
    }
  });
  addEventListener("DOMContentLoaded", () => {
    const ui = SwaggerUIBundle({
      url: "openapi.json",
      dom_id: "#swagger-ui",
      deepLinking: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      plugins: [emptyFields],
      // Its badge would ask another host.
      validatorUrl: null,
      onComplete: () => {
        if (token) ui.preauthorizeApiKey("bearer", token);
      }
    });
  });
})();
