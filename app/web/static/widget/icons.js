// The panel's icons, on the design's 20 px grid; the sprigs on 16 px, one pair of leaves more for each tier.

const line = (path) => [20, path, false];
const leaf = (path) => [16, path, true];

const KINDS = {
  amount: "tag", percent: "percent", free_shipping: "truck",
  shop: "bag", birthday: "cake", review: "star", referral: "users", join: "check",
};

/** For a kind of reward or of earning; one we do not know is a gift. */
export function kindIcon(kind) {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : "gift";
}

export const panelIcons = {
  close: line("M5.5 5.5l9 9m0-9l-9 9"),
  back: line("M12 4.5l-5.5 5.5 5.5 5.500"),
  more: line("M7.5 4.5l5.5 5.5-5.5 5.500"),
  clock: line("M10 17.5a7.5 7.5 0 100-15 7.5 7.5 0 000 15zM10 6v4.2l2.8 1.6"),
  info: line("M10 17.5a7.5 7.5 0 100-15 7.5 7.5 0 000 15zM10 9v5m0-7.6v.1"),
  tag: line("M3 3h6.5l7.5 7.5-6.5 6.5L3 9.5zM6.5 6.5h.01"),
  truck: line("M2 5h10v9H2zM12 8h3.5L18 11v3h-6M5.5 16.5a1.5 1.5 0 100-3 1.5 1.5 0 000 3zM14.5 16.5a1.5 1.5 0 100-3 1.5 1.5 0 000 3z"),
  percent: line("M5 15L15 5M6.5 8a1.5 1.5 0 100-3 1.5 1.5 0 000 3zM13.5 15a1.5 1.5 0 100-3 1.5 1.5 0 000 3z"),
  gift: line("M3 7h14v3.5H3zM4.5 10.5V17h11v-6.5M10 7v10M10 7C7 7 5.5 5.8 6 4.3 6.6 2.6 9.2 3.2 10 7c.8-3.8 3.4-4.4 4-2.7C14.5 5.8 13 7 10 7z"),
  lock: line("M5 9h10v8H5zM7 9V6.5a3 3 0 016 0V9"),
  bag: line("M4 6.5h12l.8 10.5H3.2zM7 9V5.5a3 3 0 016 0V9"),
  cake: line("M3.5 17h13M4.5 17v-6.5h11V17M4.5 13.5c1.8 1.5 3.6 1.5 5.5 0 1.9 1.5 3.7 1.5 5.5 0M10 10.5V7.5M10 5V3.5"),
  star: line("M10 2.8l2.2 4.7 5.1.6-3.8 3.5 1 5.1-4.5-2.6-4.5 2.6 1-5.1-3.8-3.5 5.1-.6z"),
  users: line("M7.5 9.5a3 3 0 100-6 3 3 0 000 6zM2 16.5c0-3 2.4-4.7 5.5-4.7s5.5 1.7 5.5 4.7M13 3.8a3 3 0 010 5.5M15 12.2c1.8.6 3 2 3 4.3"),
  check: line("M4 10.5l4 4 8-9"),
  undo: line("M7 4L3.5 7.5 7 11M3.5 7.5H12a4.5 4.5 0 010 9H7.5"),
  copy: line("M7 7h10v10H7zM13 7V3H3v10h4"),
  ticket: line("M2.5 5h15v3.2a1.9 1.9 0 000 3.6V15h-15v-3.2a1.9 1.9 0 000-3.6zM12 5v2m0 2v2m0 2v2"),
  offline: line("M3 3l14 14M2.5 8.5A11 11 0 016 6.2m3-.9a11 11 0 018.5 3.2M5.5 11.5a7 7 0 013-1.7m3.5.3a7 7 0 012.5 1.4M10 15.5h.01"),
  alert: line("M10 3L2 16.5h16zM10 8v4m0 2.2v.1"),
  sprig1: leaf("M7.5 11C7.6 8.5 5.2 6.8 2.4 7.1C2.5 9.3 4.6 11.4 7.5 11ZM8.5 11C8.4 8.5 10.8 6.8 13.6 7.1C13.5 9.3 11.4 11.4 8.5 11ZM8 8.4C9.8 7.5 9.8 5.5 8 4.2C6.5 5.1 6.2 7.1 8 8.4Z"),
  sprig2: leaf("M7.5 12.6C7.6 10.1 5.2 8.4 2.4 8.7C2.5 10.9 4.6 13 7.5 12.6ZM8.5 12.6C8.4 10.1 10.8 8.4 13.6 8.7C13.5 10.9 11.4 13 8.5 12.6ZM7.5 8.9C7.6 6.4 5.2 4.7 2.4 5C2.5 7.2 4.6 9.3 7.5 8.9ZM8.5 8.9C8.4 6.4 10.8 4.7 13.6 5C13.5 7.2 11.4 9.3 8.5 8.9ZM8 6.3C9.8 5.4 9.8 3.4 8 2.1C6.5 3 6.2 5 8 6.3Z"),
  sprig3: leaf("M7.5 13.9C7.6 11.4 5.2 9.7 2.4 10C2.5 12.2 4.6 14.3 7.5 13.9ZM8.5 13.9C8.4 11.4 10.8 9.7 13.6 10C13.5 12.2 11.4 14.3 8.5 13.9ZM7.5 10.2C7.6 7.7 5.2 6 2.4 6.3C2.5 8.5 4.6 10.6 7.5 10.2ZM8.5 10.2C8.4 7.7 10.8 6 13.6 6.3C13.5 8.5 11.4 10.6 8.5 10.2ZM7.5 6.5C7.6 4 5.2 2.3 2.4 2.6C2.5 4.8 4.6 6.9 7.5 6.5ZM8.5 6.5C8.4 4 10.8 2.3 13.6 2.6C13.5 4.8 11.4 6.9 8.5 6.5ZM8 3.9C9.8 3.1 9.8 1.5 8 0.3C6.5 1.1 6.2 2.7 8 3.9Z"),
};
