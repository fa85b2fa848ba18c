/** The way in, on the till's home: says whether a customer is in the cart already. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useEffect, useState} from 'preact/hooks';

export default () => {
  render(<Tile />, document.body);
};

function Tile() {
  const {i18n, cart, action} = shopify;
  const [customer, setCustomer] = useState(cart.current.value.customer);
  useEffect(() => cart.current.subscribe?.((now) => setCustomer(now.customer)), []);
  return (
    <s-tile
      heading={i18n.translate('title')}
      subheading={i18n.translate(customer ? 'tile_customer' : 'tile_card')}
      onClick={() => action.presentModal()}
    />
  );
}
