// A token in the address stays in this page's memory: out of the address bar, the history and
// whatever people copy.
const address = new URL(location.href);
const token = address.searchParams.get("token");
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

// Swagger UI has a dark style and no ear for what the system prefers.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

// What is not required begins empty, not with "string" and 0: what nobody typed is not sent.
/** @param {SwaggerSystem} system */
const emptyFields = ({ React, getComponent }) => ({
  wrapComponents: {
    JsonSchemaForm: (/** @type {unknown} */ Form) =>
      class extends React.Component {
        empty = this.props.dispatchInitialValue && !this.props.required;

        componentDidMount() {
          this.empty = false;
        }

        render() {
          const value = this.empty ? "" : this.props.value;
          return React.createElement(Form, { ...this.props, value });
        }
      },
  },
  components: {
    // It looks for this one, and complains, before it takes the plain one.
    JsonSchema_string_binary: (/** @type {object} */ props) =>
      React.createElement(getComponent("JsonSchema_string"), props),
  },
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
    },
  });
});

export {};
