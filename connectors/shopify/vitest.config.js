import {defineConfig} from 'vitest/config';

export default defineConfig({
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact'},
  test: {
    environment: 'jsdom',
    include: ['tests/*.test.js'],
    // Its own imports of @preact/signals have to be found from here.
    server: {deps: {inline: [/ui-extensions-tester/]}},
  },
});
