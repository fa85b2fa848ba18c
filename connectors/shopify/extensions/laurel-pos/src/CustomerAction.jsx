/** The window that the block beside a customer opens. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';

import {Member} from './Member.jsx';

export default () => {
  render(<CustomerAction />, document.body);
};

function CustomerAction() {
  const {i18n, customer} = shopify;
  return (
    <s-page heading={i18n.translate('title')}>
      <s-scroll-box padding="base">
        <Member
          shopify={shopify}
          find={(laurel) => laurel.byCustomer(customer.id)}
          join={(laurel) => laurel.join(customer.id)}
        />
      </s-scroll-box>
    </s-page>
  );
}
