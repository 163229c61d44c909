import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ended } from '../support/processes.js'

interface FloodReport {
  readonly started: number
  readonly lost: number
  readonly seenByParent: number
  readonly before: unknown
  readonly after: unknown
}

/** The flood hits a whole process group, so the parent under test leads a group of its own. */
async function flood(api: 'sigshield' | 'child_process'): Promise<FloodReport> {
  const parent = ended(
    spawn(process.execPath, [join(import.meta.dirname, '../support/start/flooded-parent.mjs'), api], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  let output = ''
  for await (const chunk of parent.stdout) output += chunk
  return JSON.parse(output)
}

describe('under a flood of SIGINT at the whole process group while 300 children start', () => {
  it('no protected child dies, the parent sees its SIGINT, and its own signals are as before', async () => {
    const report = await flood('sigshield')
    expect(report).toMatchObject({ started: 300, lost: 0 })
    expect(report.seenByParent).toBeGreaterThan(0)
    expect(report.after).toEqual(report.before)
  })

  it('plain child_process loses children (the control)', async () => {
    const report = await flood('child_process')
    expect(report.lost).toBeGreaterThan(0)
  })
})
