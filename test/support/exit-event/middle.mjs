// Starts the leaf in the way it is told, on its own output.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { spawnProtected } from 'sigshield'
import { exitEvent } from 'sigshield/child'

const [way, depth = '1'] = process.argv.slice(2)
const leaf = join(import.meta.dirname, 'leaf.mjs')
const next = depth === '1' ? [leaf] : [import.meta.filename, way, String(Number(depth) - 1)]
const ways = {
  'handing it on': () => spawnProtected(process.execPath, next, { stdio: 'inherit', exitEvent: exitEvent() }),
  'giving it none': () => spawnProtected(process.execPath, next, { stdio: 'inherit' }),
  'by child_process': () => childProcess.spawn(process.execPath, next, { stdio: 'inherit' }),
  'by child_process, having asked for its own': () => {
    exitEvent().isSet()
    return childProcess.spawn(process.execPath, next, { stdio: 'inherit' })
  },
  'by child_process, with the descriptor': () => {
    const fd = Number(process.env.SIGSHIELD_EXIT_FD)
    return childProcess.spawn(process.execPath, next, { stdio: [...Array(fd).fill('inherit'), fd] })
  },
}
const [code] = await once(ways[way](), 'close')
process.exitCode = code
