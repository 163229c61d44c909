import { accessSync, constants, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ended, line, until } from '../support/processes.js'

const hierarchies = [
  { root: '/sys/fs/cgroup', mark: 'cgroup.procs', file: 'cgroup.freeze', freeze: '1', thaw: '0' },
  { root: '/sys/fs/cgroup/unified', mark: 'cgroup.procs', file: 'cgroup.freeze', freeze: '1', thaw: '0' },
  { root: '/sys/fs/cgroup/freezer', mark: 'cgroup.procs', file: 'freezer.state', freeze: 'FROZEN', thaw: 'THAWED' },
]

function isWritable(root: string, mark: string): boolean {
  try {
    accessSync(`${root}/${mark}`, constants.W_OK)
    accessSync(root, constants.W_OK)
    return true
  } catch {
    return false
  }
}

describe('the time in which a child alone is frozen does not count', () => {
  for (const { root, mark, file, freeze, thaw } of hierarchies) {
    it.skipIf(!isWritable(root, mark))(`in ${root}`, async () => {
      const script = `trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done`
      const child = ended(spawnProtected('bash', ['-c', script]))
      expect(await line(child.stdout)).toBe('ready')
      const group = `${root}/sigshield-test-${process.pid}`
      mkdirSync(group)
      onTestFinished(async () => {
        writeFileSync(`${group}/${file}`, thaw)
        child.kill('SIGKILL')
        await until(() => {
          try {
            rmdirSync(group)
            return true
          } catch {
            return false
          }
        }, 'the cgroup is empty')
      })
      writeFileSync(`${group}/cgroup.procs`, String(child.pid))
      writeFileSync(`${group}/${file}`, freeze)
      const stop = child.stop({ grace: [200, 200] })
      await new Promise((resolve) => setTimeout(resolve, 1000))
      writeFileSync(`${group}/${file}`, thaw)
      expect(await stop).toEqual({ code: 3, signal: null, forced: false })
    })
  }
})
