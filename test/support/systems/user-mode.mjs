// Under user-mode emulation, whose clone(2) knows less: nothing starts, and the error says why. child_process starts there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { spawnProtected } from 'sigshield'

assert.deepEqual(await once(spawn('/bin/true'), 'exit'), [0, null])
assert.throws(() => spawnProtected('/bin/true'), {
  code: 'EINVAL',
  step: 'clone',
  message: /probably user-mode emulation/,
})
console.log(`Node ${process.version} ${process.arch}: refused under user-mode emulation, with its reason`)
