/** As much of React as Swagger UI's plug-ins need here. */
interface ReactLike {
  Component: new () => { props: any };
  createElement(type: unknown, props: object): unknown;
}

/** What Swagger UI passes to a plug-in. */
interface SwaggerSystem {
  React: ReactLike;
  getComponent(name: string): unknown;
}

declare function SwaggerUIBundle(options: object): {
  preauthorizeApiKey(scheme: string, key: string): void;
};
