// In an arm64 guest: programs of 32-bit ARM can't undo what they ignore either. Argument: the program aarch32.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawnProtected } from 'sigshield'

const program = process.argv[2]

/** Both calls that change a disposition there. */
for (const [name, number] of [
  ['rt_sigaction', 174],
  ['sigaction', 67],
]) {
  const end = (enforce) => once(spawnProtected(program, [String(number)], { stdio: 'inherit', enforce }), 'exit')
  assert.deepEqual(await end(false), [null, 'SIGINT'], `${name} works where nothing is enforced`)
  assert.deepEqual(await end(true), [0, null], `${name} is swallowed`)
  console.log(`  ok  ${name} of AArch32 is swallowed`)
}
