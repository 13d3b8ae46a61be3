// Exports the API document as a Postman collection (v2.1), which Bruno, Insomnia and Hoppscotch import as well.
//
//   node scripts/collection.mjs [FILE]      default: openapi/flip360.postman.json
//
// Run "Get an access token" first, with client_id and client_secret set: what follows uses its token.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const root = new URL("..", import.meta.url);
const require = createRequire(new URL("target/contract/node/package.json", root));
const { convert } = require("openapi-to-postmanv2");

const document = readFileSync(new URL("openapi/flip360.v1.json", root), "utf8");
const options = {
  folderStrategy: "Tags",
  requestParametersResolution: "Example",
  includeWebhooks: false,
  includeDeprecated: true,
};

const { paths, components } = JSON.parse(document);

/** The operation of a request, as the document has it. */
function operation({ method, url }) {
  const path = "/" + url.path.map((segment) => (segment.startsWith(":") ? `{${segment.slice(1)}}` : segment)).join("/");
  return paths[path][method.toLowerCase()];
}

/** What the document gives as an example of a parameter. */
function parameter(request, name) {
  const found = operation(request).parameters?.find((one) => one.name === name);
  return String(found?.example ?? found?.schema?.example ?? "");
}

/** What the document gives as an example of a JSON body. */
function body(request) {
  const media = operation(request).requestBody?.content["application/json"];
  return media?.example ?? components.schemas[media?.schema.$ref?.split("/").pop()]?.example;
}

/** Without ids, which differ each time, and answers, which the document has; with keys and tokens that work. */
function tidy(item) {
  delete item.id;
  delete item.response;
  delete item.event;
  (item.item ?? []).forEach(tidy);
  if (!item.request) return;
  item.request.auth = item.request.auth?.type === "noauth" ? item.request.auth : undefined;
  for (const header of item.request.header ?? []) {
    if (header.key === "Idempotency-Key") header.value = "{{$guid}}";
    if (header.key === "If-Match") header.value = '"{{version}}"';
  }
  const { url } = item.request;
  for (const query of url.query ?? []) Object.assign(query, { disabled: true, value: parameter(item.request, query.key) });
  for (const variable of url.variable ?? []) variable.value = parameter(item.request, variable.key);
  const json = body(item.request);
  if (json) item.request.body.raw = JSON.stringify(json, null, 2);
  if (item.request.url.path.join("/") === "oauth/token") {
    item.request.auth = { type: "noauth" };
    item.request.body.urlencoded = [
      { key: "grant_type", value: "client_credentials" },
      { key: "client_id", value: "{{client_id}}" },
      { key: "client_secret", value: "{{client_secret}}" },
    ];
    const exec = ['pm.collectionVariables.set("access_token", pm.response.json().access_token);'];
    item.event = [{ listen: "test", script: { type: "text/javascript", exec } }];
  }
}

convert({ type: "string", data: document }, options, (error, result) => {
  if (error || !result.result) throw error ?? new Error(result.reason);
  const collection = result.output[0].data;
  collection.item.forEach(tidy);
  delete collection.event;
  delete collection.info._postman_id;
  collection.auth = { type: "bearer", bearer: [{ key: "token", value: "{{access_token}}", type: "string" }] };
  collection.variable = [
    { key: "baseUrl", value: "http://127.0.0.1:8360" },
    { key: "client_id", value: "" },
    { key: "client_secret", value: "" },
    { key: "access_token", value: "" },
    { key: "version", value: "1" },
  ];
  writeFileSync(process.argv[2] ?? new URL("openapi/flip360.postman.json", root), JSON.stringify(collection, null, 1) + "\n");
});
