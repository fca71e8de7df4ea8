// node --require tools/loopback.cjs PROGRAM…: whatever listens without naming an address listens on 127.0.0.1, and
// what would answer the network all the same is an error. emulate 0.11.2 and the Agents Playground 0.2.28 name none.
// With LOOPBACK_FD, the first web server that listens writes its address there; a mere probe of a port does not.
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const OURS = "127.0.0.1";
const listen = net.Server.prototype.listen;
let fd = process.env.LOOPBACK_FD;
delete process.env.LOOPBACK_FD; // the program's own children do not have the pipe

net.Server.prototype.listen = function (where, ...rest) {
  this.once("listening", listens);
  if (typeof where === "object" && where !== null && "port" in where) {
    return listen.call(this, { ...where, host: where.host ?? OURS }, ...rest);
  }
  const bare = Number.isInteger(Number(where)) && typeof rest[0] !== "string";
  if (!bare) return listen.call(this, where, ...rest);
  const then = rest.filter((argument) => argument !== undefined);
  return listen.call(this, Number(where), OURS, ...then);
};

function listens() {
  const at = this.address();
  if (typeof at !== "object") return; // a socket of the file system
  if (at.address !== OURS) {
    throw new Error(`listens on ${at.address}, not on ${OURS}: let tools/loopback.cjs know how it calls listen()`);
  }
  if (!fd || !(this instanceof http.Server)) return;
  fs.writeSync(Number(fd), `${at.address}:${at.port}\n`);
  fs.closeSync(Number(fd));
  fd = undefined;
}
