import { z } from 'zod'
import { AnyRole, ApiKey } from '../../model/access.ts'
import { Instant } from '../../model/json.ts'

/** Shown in lists on terminals: nothing that steers one, breaks the line or turns its direction. */
export const Label = z
  .string()
  .min(1)
  .max(100)
  .regex(
    // oxlint-disable-next-line no-control-regex -- they are what is kept out
    /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$/,
    'one line of text',
  )

export const Expiry = Instant.nullable().default(null).meta({ description: 'In the future; null: never.' })

export const NewOwnerKey = z.strictObject({ name: Label.default('owner'), expires_at: Expiry })
export const NewKey = z.strictObject({
  role: AnyRole.meta({ description: '`operator` is for operators, who make no others.' }),
  name: Label,
  expires_at: Expiry,
})

/** The only answer that has the key itself in it. */
export const CreatedKey = ApiKey.extend({
  key: z.string().meta({ description: 'The key itself. It is shown this once and kept nowhere.' }),
}).meta({ id: 'CreatedKey' })
