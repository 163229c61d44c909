// Starts children while there is a file that has something refused, and then without it.
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { spawnProtected } from 'sigshield'

const [file] = process.argv.slice(2)
writeFileSync(file, '')
for (let i = 0; i < 2; i += 1) {
  try {
    const child = spawnProtected('true', { stdio: 'ignore' })
    const [{ code, step }] = await once(child, 'error')
    console.log(code, step)
  } catch ({ code, step }) {
    console.log(code, step)
  }
}
rmSync(file)
const [code] = await once(spawnProtected('true', { stdio: 'ignore' }), 'exit')
console.log('exit', code)
