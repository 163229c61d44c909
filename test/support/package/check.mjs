import * as sigshield from 'sigshield'
import * as child from 'sigshield/child'
import * as signals from 'sigshield/signals'
import { whatHolds } from './what-holds.mjs'

console.log(JSON.stringify(await whatHolds(sigshield, child, signals)))
