// Has descriptor 99 open without close-on-exec, and starts the probe.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { spawnProtected } from 'sigshield'

const [api, probe, report] = process.argv.slice(2)
const spawn = api === 'sigshield' ? spawnProtected : childProcess.spawn
await once(spawn(probe, [report], { stdio: 'ignore' }), 'close')
