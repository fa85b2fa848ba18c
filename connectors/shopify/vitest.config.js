import {defineConfig} from 'vitest/config';

export default defineConfig({
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact'},
  test: {
    environment: 'jsdom',
    include: ['tests/*.test.js'],
    // How long one takes says how busy the machine is, and nothing else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Its own imports of @preact/signals have to be found from here.
    server: {deps: {inline: [/ui-extensions-tester/]}},
  },
});
