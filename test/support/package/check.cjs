const sigshield = require('sigshield')
const child = require('sigshield/child')
const signals = require('sigshield/signals')
const { version } = require('sigshield/package.json')

if (typeof version !== 'string') throw new Error('no version')
void import('./what-holds.mjs').then(async ({ whatHolds }) => {
  // One module, whoever loads it.
  if ((await import('sigshield')).ExitEvent !== sigshield.ExitEvent) throw new Error('two of them')
  console.log(JSON.stringify(await whatHolds(sigshield, child, signals)))
})
