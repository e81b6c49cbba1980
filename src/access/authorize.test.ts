import { expect, test } from 'vitest'
import { Role } from '../model/access.ts'
import { type Operation, PERMISSIONS, authorize } from './authorize.ts'

const OPERATIONS = Object.keys(PERMISSIONS) as Operation[]

function may(role: Role, operation: Operation): boolean {
  try {
    authorize({ kind: 'key', id: 'key_x', tenant: 'ten_x', role }, operation)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' })
    return false
  }
}

test('an owner may do everything', () => {
  expect(OPERATIONS.filter((operation) => !may('owner', operation))).toEqual([])
})

test('a viewer reads and changes nothing', () => {
  expect(OPERATIONS.filter((operation) => may('viewer', operation))).toEqual(['self.read', 'skills.read', 'runs.read'])
})

test.each(['developer', 'agent'] as const)('a %s without grants knows itself and nothing else', (role) => {
  expect(OPERATIONS.filter((operation) => may(role, operation))).toEqual(['self.read'])
})

test('every role is answered for every operation', () => {
  for (const operation of OPERATIONS) expect(Object.keys(PERMISSIONS[operation])).toEqual(Role.options)
})
