/** `string | null` -> {type: ['string', 'null']}; literals joined; anything else anyOf. An unknown part makes all unknown. */
export function union(schemas) {
  const flat = distinct(schemas.flatMap((one) => (Object.keys(one).join() === 'anyOf' ? one.anyOf : [one])))
  if (flat.some((one) => Object.keys(one).length === 0)) return {}
  if (flat.length === 1) return flat[0]
  const some = flat.filter((one) => one.type !== 'null')
  if (some.every((one) => Object.keys(one).join() === 'enum')) {
    return { enum: [...some.flatMap((one) => one.enum), ...(some.length < flat.length ? [null] : [])] }
  }
  if (flat.every((one) => Object.keys(one).join() === 'type')) return { type: flat.flatMap((one) => one.type) }
  return { anyOf: flat }
}

function distinct(schemas) {
  const seen = new Set()
  return schemas.filter((one) => !seen.has(JSON.stringify(one)) && seen.add(JSON.stringify(one)))
}
