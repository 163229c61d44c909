/**
 * A function of another's that stands in a place which all look at, and ours before it. Others may put theirs there too, before us
 * and after: a tracer, a mock, a second copy of this library.
 */
export class Patch<Method> {
  readonly #place: { current: Method }
  readonly #make: (next: Method, isActive: () => boolean) => Method
  readonly #made: { readonly method: Method; readonly next: Method; readonly state: { isActive: boolean } }[] = []

  /** What `make` returns must do nothing but call `next` when it is not active. */
  constructor(place: { current: Method }, make: (next: Method, isActive: () => boolean) => Method) {
    this.#place = place
    this.#make = make
  }

  /** Puts ours before all that is there. */
  raise(): void {
    const next = this.#place.current
    if (this.#made.some(({ method }) => method === next)) return
    const state = { isActive: true }
    const method = this.#make(next, () => state.isActive)
    this.#made.push({ method, next, state })
    this.#place.current = method
  }

  /** Whoever has wrapped ours goes on calling it. */
  remove(): void {
    for (const { method, next, state } of this.#made.splice(0).reverse()) {
      state.isActive = false
      if (this.#place.current === method) this.#place.current = next
    }
  }
}
