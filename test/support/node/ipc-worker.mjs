// Answers messages on its channel: with the same message, or with what `ask` names.
import { existsSync, readFileSync, writeSync } from 'node:fs'

/** Only /proc has what Node takes out as it starts. */
const startEnvironment = () => (existsSync('/proc/self/environ') ? inherited() : process.env)
const inherited = () =>
  Object.fromEntries(
    readFileSync('/proc/self/environ', 'utf8')
      .split('\0')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )

const asked = {
  size: ({ text }) => process.send(text.length),
  large: ({ size }) => process.send('x'.repeat(size)),
  kinds: ({ value }) =>
    process.send(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, item?.constructor.name]))),
  environment() {
    const { NODE_CHANNEL_FD, NODE_CHANNEL_SERIALIZATION_MODE, NODE_OPTIONS } = startEnvironment()
    process.send({
      fd: NODE_CHANNEL_FD,
      mode: NODE_CHANNEL_SERIALIZATION_MODE,
      options: NODE_OPTIONS,
      title: process.title,
      left: Object.keys(process.env).filter((name) => name.startsWith('NODE_CHANNEL')),
    })
  },
  disconnect() {
    process.on('disconnect', () => {
      const { connected, channel } = process
      process.send('too late', (error) => writeSync(1, JSON.stringify({ connected, channel, code: error.code })))
    })
    process.disconnect()
  },
  'report disconnect'() {
    process.on('disconnect', () => writeSync(1, JSON.stringify({ connected: process.connected })))
    process.send('reporting')
  },
  'answer on the socket': (_message, socket) => socket.end(`worker ${process.pid}`),
  // Destroyed, not ended: that would end the connection for the other holder too.
  'write on the socket': (_message, socket) =>
    socket.write('worker ', () => socket.destroy().once('close', () => process.send('written'))),
  serve(_message, server) {
    server.on('connection', (socket) => socket.end(`worker ${process.pid}`, () => server.close()))
    process.send('serving')
  },
  'answer datagrams'(_message, socket) {
    socket.on('message', (text, { port, address }) =>
      socket.send(`worker ${process.pid} got ${text}`, port, address, () => socket.close()),
    )
    process.send('serving')
  },
}

// On a turn of its own: Node fails when a listener disconnects while messages from before it was added are delivered.
process.on('message', (message, handle) =>
  setImmediate(() => {
    const answer = asked[message?.ask]
    if (answer) answer(message, handle)
    else process.send(message)
  }),
)
