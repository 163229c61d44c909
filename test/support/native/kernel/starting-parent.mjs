// Starts children for ever, one after another, and says so.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { spawnProtected } from 'sigshield'

for (let i = 1; ; i += 1) {
  await once(spawnProtected('true', { stdio: 'ignore', ignore: [] }), 'exit')
  if (i % 20 === 0) writeSync(1, '.')
}
