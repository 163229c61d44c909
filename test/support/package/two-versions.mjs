import { ExitEvent, spawnProtected } from 'sigshield'
import * as child from 'sigshield/child'
import * as signals from 'sigshield/signals'
import * as older from 'sigshield-older'
import * as olderChild from 'sigshield-older/child'
import * as olderSignals from 'sigshield-older/signals'
import { whatHolds } from './what-holds.mjs'

if (older.ExitEvent === ExitEvent) throw new Error('they are one')
const [newer, other] = await Promise.all([
  whatHolds({ spawnProtected }, child, signals),
  whatHolds(older, olderChild, olderSignals),
])
let refused
try {
  spawnProtected('true', { exitEvent: new older.ExitEvent() })
} catch (error) {
  refused = error.message
}
if (!/of another copy in this process/.test(refused)) throw new Error(`an event of the other copy: ${refused}`)
if (newer.addon.length !== 2) throw new Error(`loaded: ${newer.addon}`)
console.log(JSON.stringify({ ...newer, addon: [newer.addon[0]] }))
console.log(JSON.stringify({ ...other, addon: [other.addon[0]] }))
