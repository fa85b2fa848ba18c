/** A page of its own in the customer's account: everything. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';

import {Panel} from '../../shared/panel.jsx';

export default () => {
  render(<Page />, document.body);
};

function Page() {
  return (
    <s-page heading={shopify.i18n.translate('title')}>
      <s-section>
        <Panel shopify={shopify} />
      </s-section>
    </s-page>
  );
}
