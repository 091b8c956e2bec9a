import { storable } from './storable.ts';

it('NULs are removed and unpaired surrogates replaced at any depth; pairs stay', () => {
  expect(storable({ 'a\0': ['x\0y', { b: '\ud800z', c: '😀' }], n: 1, z: null })).toEqual({
    a: ['xy', { b: '\ufffdz', c: '😀' }],
    n: 1,
    z: null,
  });
});
