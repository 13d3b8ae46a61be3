// Settings of @hey-api/openapi-ts: one function for each operation, with the types of what goes in and comes out.
export default {
  input: "./openapi/flip360.v1.json",
  logs: { level: "warn" },
  // Node's own modules name files, browsers' bundlers do not mind.
  output: { path: "./target/sdks/typescript/src", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
};
