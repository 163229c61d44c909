// A sandboxed worker: it takes itself all descriptors, and waits for its event.
import { execFileSync } from 'node:child_process'
import { exitEvent } from 'sigshield/child'

const event = exitEvent()
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=0:0'])
console.log('ready')
console.log(event.waitSync(), event.isSet(), event.reason)
