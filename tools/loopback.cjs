// node --require tools/loopback.cjs PROGRAM…: whatever listens without naming an address listens on 127.0.0.1.
// emulate 0.11.2 passes no address to `listen` and would answer the whole network.
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const bare = Number.isInteger(Number(port)) && typeof rest[0] !== "string";
  if (!bare) return listen.call(this, port, ...rest);
  const then = rest.filter((argument) => argument !== undefined);
  return listen.call(this, Number(port), "127.0.0.1", ...then);
};
