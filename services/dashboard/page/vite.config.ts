// Builds the page into services/dashboard/static. Nothing is inlined, for the page is served under
// `Content-Security-Policy: default-src 'self'`.
import { defineConfig } from 'vite';

const SERVER = 'http://127.0.0.1:8080'; // where `deptbus-dashboard serve` listens while the page is developed

export default defineConfig({
  base: '/',
  build: {
    outDir: '../static',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: { proxy: { '/api': SERVER } },
});
