// Starts children as fast as it can, with the options given, until it is killed. Says when the first hundred run.
import { spawnProtected } from 'sigshield'

const [mark, options] = process.argv.slice(2)
const given = { stdio: 'ignore', argv0: mark, ...JSON.parse(options) }
let started = 0
const next = () => {
  // A few hundred live at a time.
  for (let i = 0; i < 5; i += 1) {
    const child = spawnProtected('sleep', ['1000'], given)
    started += 1
    if (started > 300) child.kill('SIGKILL')
  }
  if (started === 100) process.stdout.write('hundred\n')
  setImmediate(next)
}
next()
