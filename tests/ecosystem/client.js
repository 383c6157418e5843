// A client in another language: what it sees of our server, one JSON object on stdout.
//
// node client.js TARGET REFLECTION_DESCRIPTOR_SET: it has the .proto of the reflection service (as a
// descriptor set) and of nothing else. The shop it learns from the server.
"use strict";

const fs = require("fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [target, reflectionSet] = process.argv.slice(2);
const insecure = grpc.credentials.createInsecure();
const options = { longs: Number, defaults: true };
const deadline = (seconds) => ({ deadline: Date.now() + 1000 * seconds });

function service(descriptorSet, name) {
  const definition = loader.loadFileDescriptorSetFromBuffer(descriptorSet, options);
  return grpc.loadPackageDefinition({ [name]: definition[name] });
}

const at = (object, path) => path.split(".").reduce((inner, name) => inner[name], object);

// One request on a bidirectional stream, one response.
function ask(stub, request) {
  return new Promise((resolve, reject) => {
    const call = stub.ServerReflectionInfo(deadline(5));
    call.on("data", (response) => { resolve(response); call.end(); });
    call.on("error", reject);
    call.write(request);
  });
}

// A FileDescriptorSet with one file is that file behind tag 1 and its length.
function descriptorSetOf(file) {
  const length = [];
  for (let rest = file.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([10, ...length]), file]);
}

const unary = (stub, request, metadata, given) => new Promise((resolve) => {
  const seen = {};
  const call = stub.GetPrice(request, metadata, given, (error, price) => {
    Object.assign(seen, error ? { code: error.code, details: error.details, trailer: error.metadata.getMap() } : price);
  });
  call.on("metadata", (initial) => { seen.initial = initial.getMap()["seen"]; });
  call.on("status", () => setImmediate(resolve, seen));
});

const bidi = (stub, names) => new Promise((resolve) => {
  const seen = [];
  const call = stub.WatchPrices(deadline(5));
  call.on("data", (price) => {
    seen.push(price.amount);
    if (names.length) call.write({ name: names.shift() });
    else call.end();
  });
  call.on("error", () => {});
  call.on("status", (status) => resolve({ seen, code: status.code, details: status.details }));
  call.write({ name: names.shift() });
});

async function main() {
  const reflection = service(fs.readFileSync(reflectionSet), "grpc.reflection.v1alpha.ServerReflection");
  const reflector = new (at(reflection, "grpc.reflection.v1alpha.ServerReflection"))(target, insecure);
  const listed = await ask(reflector, { list_services: "" });
  const found = await ask(reflector, { file_containing_symbol: "test.shop.Shop" });
  const [file] = found.file_descriptor_response.file_descriptor_proto;
  const shop = service(descriptorSetOf(file), "test.shop.Shop");
  const stub = new (at(shop, "test.shop.Shop"))(target, insecure);

  const metadata = new grpc.Metadata();
  metadata.set("token", "from node");
  const result = {
    services: listed.list_services_response.service.map((one) => one.name).sort(),
    price: await unary(stub, { name: "apple", count: 3, tags: ["a", "b"] }, metadata, deadline(5)),
    refused: await unary(stub, { name: "" }, new grpc.Metadata(), deadline(5)),
    late: await unary(stub, { name: "wait" }, new grpc.Metadata(), deadline(0.2)),
    big: await unary(stub, { name: "x".repeat(1 << 20) }, new grpc.Metadata(), deadline(5)),
    stream: await bidi(stub, ["a", "bb", "ccc"]),
    brokenStream: await bidi(stub, ["a", ""]),
  };
  stub.close();
  reflector.close();
  console.log(JSON.stringify(result));
}

main().catch((error) => { console.error(error); process.exit(1); });
