/** What every piece of ours goes through: reading, and buying a code. No element is named here. */

import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {newKey} from './ask.js';

export const LOOK_AGAIN_MS = 2_000;
const LOOKS = 10;

/**
 * {state: 'loading' | 'ready' | 'failed', value, problem, again}. Read anew by `again()`: what is shown stays until then,
 * and where that fails it stays with the `problem` beside it.
 */
export function useReading(read) {
  const [reading, setReading] = useState({state: 'loading', value: null, problem: null});
  const here = useRef(true);
  const again = useCallback(async () => {
    setReading((before) => (before.state === 'failed' ? {state: 'loading', value: null, problem: null} : before));
    try {
      const value = await read();
      if (here.current) setReading({state: 'ready', value, problem: null});
    } catch (problem) {
      if (here.current) setReading(({value}) => ({state: value === null ? 'failed' : 'ready', value, problem}));
    }
  }, []);
  useEffect(() => {
    again();
    return () => {
      here.current = false;
    };
  }, []);
  return {...reading, again};
}

/** What `look` finds, once it has; null before, and where it finds nothing. It is looked at once, beside the reading. */
export function useGlance(look) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let here = true;
    look().then((value) => here && setFound(value));
    return () => {
      here = false;
    };
  }, []);
  return found;
}

/** Becoming a member by one press: `join` asks, `again` shows what is true then, also where no answer came. */
export function useJoin({join, again}) {
  const [joining, setJoining] = useState({busy: false, problem: null});
  return {
    ...joining,
    join: async () => {
      setJoining({busy: true, problem: null});
      const problem = await join().then(() => null, (error) => error);
      await again();
      setJoining({busy: false, problem});
    },
  };
}

/**
 * Points become a code: `choose` a reward, `buy` it or go `back`, and `cancel` what was bought.
 *
 * One wish has one key: pressed twice, or again after no answer came, it is one code. While that is `unsure` it stays as
 * it is, since another number of points would be another wish. `send(wish)` and `look(redemption)` ask the server;
 * `done()` is called when points or codes are, or may be, others than before.
 */
export function useWish({send, look, withdraw, done}) {
  const [wish, setWish] = useState(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);

  const running = useRef(false); // at once, where `busy` is known only with the next drawing

  async function doing(act) {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(error);
      // No answer is no refusal: the same wish can be sent again. Of a refusal the points are shown as they are now.
      if (error.code !== 'offline') {
        setWish(null);
        done();
      }
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  const unsure = wish !== null && problem !== null;

  return {
    wish,
    busy,
    problem,
    unsure,
    choose: (reward) => {
      setProblem(null);
      setWish({reward, points: reward.steps ? reward.steps.minimum : null, key: newKey()});
    },
    setPoints: (points) => setWish((one) => ({...one, points, key: newKey()})),
    back: () => {
      setWish(null);
      if (unsure) done();
    },
    buy: () =>
      doing(async () => {
        await ready(await send(wish), look);
        setWish(null);
        done();
      }),
    cancel: (redemption) =>
      doing(async () => {
        await withdraw(redemption);
        done();
      }),
  };
}

/** Wait until its code is there, or for a while: it comes by itself, and is shown then. */
async function ready(redemption, look) {
  let now = redemption;
  for (let looks = 0; now.state === 'requested' && looks < LOOKS; looks += 1) {
    await new Promise((later) => setTimeout(later, LOOK_AGAIN_MS));
    now = await look(now).catch(() => now);
  }
}
