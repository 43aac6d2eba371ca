// Connects to HOST PORT and waits.
const net = require('net');

const [host, port] = process.argv.slice(2);
net.connect(Number(port), host);
