import { z } from 'zod'

/** Query parameters of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'At most this many. Default 50.' }),
  cursor: z.string().max(1000).optional().meta({ description: '`next` of the page before.' }),
})

/** One page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'The cursor of the next page; null ends the list.' }),
  })
}
