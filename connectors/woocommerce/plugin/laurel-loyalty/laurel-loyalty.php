<?php
/**
 * Plugin Name:          Laurel Loyalty for WooCommerce
 * Description:          Points, tiers and rewards that your customers see and spend on the shop's own pages. Needs a Laurel server: one you run yourself, or one you were given access to.
 * Version:              0.1.0
 * Requires at least:    6.2
 * Requires PHP:         7.4
 * Requires Plugins:     woocommerce
 * WC requires at least: 8.0
 * WC tested up to:      11.0
 * Author:               The Laurel team
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          laurel-loyalty
 * Domain Path:          /languages
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

defined( 'ABSPATH' ) || exit;

const VERSION = '0.1.0';
const FILE    = __FILE__;

foreach ( array( 'connection', 'token', 'rest', 'outbox', 'messages', 'sender', 'changes', 'lines', 'codes', 'storefront', 'checkout', 'privacy', 'settings-page', 'plugin' ) as $laurel_part ) {
	require_once __DIR__ . '/includes/class-' . $laurel_part . '.php';
}
unset( $laurel_part );

register_activation_hook( __FILE__, array( Plugin::class, 'activate' ) );
register_deactivation_hook( __FILE__, array( Plugin::class, 'deactivate' ) );
add_action( 'before_woocommerce_init', array( Plugin::class, 'declare_compatibility' ) );
add_action( 'plugins_loaded', array( Plugin::class, 'start' ) );
