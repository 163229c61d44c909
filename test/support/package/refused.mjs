// What a bundle says, or another runtime: the library can be imported, and what it can't do is told when it is asked for.
import { spawnProtected } from 'sigshield'
import { exitEvent } from 'sigshield/child'

const { connected } = exitEvent()
try {
  spawnProtected('true')
  console.log(JSON.stringify({ connected, code: 'started' }))
} catch ({ code, message }) {
  console.log(JSON.stringify({ connected, code, message }))
}
