/** Symbol.dispose, which a vm context of Node 20 and 22 lacks (jest, vitest's vmThreads): by this name Node knows it. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose')
