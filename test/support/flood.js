// Floods a status endpoint on the loopback from a process of its own: node flood.js <url> <kind> <connections> [path].
// Ends by itself after a minute and a half.
import { connect } from 'node:net';

const [url, kind, connections, path = '/health/status'] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const question = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const MANY = question.repeat(Math.ceil(64_000 / question.length));

/** What each of the connections does. */
const kinds = {
  /** Sends questions without end, and reads the answers. */
  pipelined(socket) {
    const send = () => {
      while (socket.write(MANY));
    };
    socket.on('connect', send).on('drain', send).resume();
  },
  /** Sends many questions, and reads nothing. */
  deaf: (socket) => socket.on('connect', () => socket.write(MANY)).pause(),
  /** Asks again as soon as it is answered. */
  eager: (socket) => socket.on('connect', () => socket.write(question)).on('data', asksAgain),
  /** Asks once, on a connection that it keeps. */
  kept: (socket) => socket.on('connect', () => socket.write(question)).resume(),
  /** Asks once, and comes back on another connection. */
  fleeting: (socket) => socket.on('connect', () => socket.write(question)).on('data', () => socket.destroy()),
};

/** Every answer is JSON, and ends with a line end. */
function asksAgain(piece) {
  if (piece.at(-1) === 0x0a) this.write(question);
}

function open() {
  const socket = connect(Number(port), hostname);
  socket.once('connect', () => {
    opened += 1;
    if (opened === Number(connections)) process.send?.('on');
  });
  // Whoever is cut off comes back.
  socket.on('error', () => socket.destroy()).once('close', () => setTimeout(open, 100));
  kinds[kind](socket);
}

let opened = 0;
for (let n = 0; n < Number(connections); n += 1) open();
setTimeout(() => process.exit(), 90_000);
