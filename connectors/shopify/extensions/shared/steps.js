/** The nearest number of points, in whole steps, that a reward in steps can be had for. */
export function fitting({points, minimum, maximum}, available, typed) {
  const most = Math.floor(Math.min(maximum ?? available, available) / points) * points;
  const near = Math.floor((Number.isFinite(typed) ? typed : minimum) / points) * points;
  return Math.max(minimum, Math.min(most, near));
}

/** The number in a field; NaN where there is none. */
export const typedIn = ({currentTarget}) => Number.parseInt(currentTarget.value, 10);
