// Supervises workers, echoes what becomes of them, and leaves as its signals say.
import { Supervisor } from 'sigshield'

const [script, grace = '600000'] = process.argv.slice(2)
const supervisor = new Supervisor({ grace: Number(grace) })
const say = (/** @type {unknown} */ what) => process.stdout.write(`${JSON.stringify(what)}\n`)
supervisor.on('exit', ({ code, signal, forced }) => say({ code, signal, forced }))
supervisor.exitEvent.signal.addEventListener('abort', () => say('asked'))
supervisor.handleSignals(['SIGINT', 'SIGTERM', 'SIGHUP'])
const children = [1, 2].map(() => supervisor.spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] }))
await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once('data', resolve))))
say('ready')
