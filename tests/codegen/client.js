// A client in another language: what it sees of a service that is implemented on a generated base, one JSON
// object on stdout.
//
// node client.js TARGET INCLUDE...: kinds.proto and what it imports are below the directories INCLUDE.
"use strict";

const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [target, ...includeDirs] = process.argv.slice(2);
const definition = loader.loadSync("kinds.proto", { includeDirs, longs: Number, defaults: true, enums: String });
const { Kinds } = grpc.loadPackageDefinition(definition).test.kinds;
const deadline = () => ({ deadline: Date.now() + 5000 });

const unary = (stub, item) => new Promise((resolve) => {
  stub.Echo(item, deadline(), (error, reply) =>
    resolve(error ? { code: error.code, details: error.details } : reply));
});

const received = (call) => new Promise((resolve) => {
  const names = [];
  call.on("data", (item) => names.push(item.name));
  call.on("error", () => {});
  call.on("status", (status) => resolve({ names, code: status.code }));
});

const collected = (stub) => new Promise((resolve, reject) => {
  const call = stub.Collect(deadline(), (error, tally) => (error ? reject(error) : resolve(tally.count)));
  ["a", "b", "c"].forEach((name) => call.write({ name }));
  call.end();
});

async function main() {
  const stub = new Kinds(target, grpc.credentials.createInsecure());
  const exchange = stub.Exchange(deadline());
  const exchanged = received(exchange);
  ["a", "b"].forEach((name) => exchange.write({ name }));
  exchange.end();
  const result = {
    echo: await unary(stub, { name: "apple", count: 3, color: "RED", sizes: { s: 1 } }),
    refused: await unary(stub, { name: "x", code: 5 }),
    repeated: await received(stub.Repeat({ name: "r", count: 3 }, deadline())),
    collected: await collected(stub),
    exchanged: await exchanged,
  };
  stub.close();
  console.log(JSON.stringify(result));
}

main().catch((error) => { console.error(error); process.exit(1); });
