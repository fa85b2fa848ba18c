/** Where Laurel is, without a slash at the end: the same address as in shopify.app.toml. Put in your own. */
export const SERVER = 'https://laurel.example.com';
