/**
 * A private field on objects that another has made. A WeakMap of all children would do the same, and cost each collection of
 * garbage.
 */

/** A constructor that answers with the object it is given, so that a subclass adds its fields to that. */
const Existing = function Existing(object: object) {
  return object
} as unknown as new (
  object: object,
) => object

export class PrivateField extends Existing {
  #value: unknown

  private constructor(object: object, value: unknown) {
    super(object)
    this.#value = value
  }

  static set(object: object, value: unknown): void {
    if (#value in object) (object as PrivateField).#value = value
    else new PrivateField(object, value)
  }

  static of(object: object): unknown {
    return #value in object ? (object as PrivateField).#value : undefined
  }
}
