<?php
/**
 * What the plugin writes into a page for somebody: php page.php <folder of the plugin> <id of the user, 0 for a guest>.
 */

namespace Laurel\Loyalty;

error_reporting( E_ALL );
set_error_handler(
	static function ( $kind, $text, $file, $line ) {
		throw new \ErrorException( $text, 0, $kind, $file, $line );
	}
);
require __DIR__ . '/wordpress.php';
const VERSION = '0.1.0';
const FILE    = '/wp-content/plugins/laurel-loyalty/laurel-loyalty.php';
define( 'USER', (int) $argv[2] );

foreach ( array( 'connection', 'token', 'lines', 'codes', 'changes', 'storefront', 'checkout' ) as $part ) {
	require $argv[1] . '/includes/class-' . $part . '.php';
}

final class Plugin {
	public static function pages_changed() {
	}
}

function is_user_logged_in() {
	return USER > 0;
}
function get_current_user_id() {
	return USER;
}
/** As WordPress's: worth something for this user alone. */
function wp_create_nonce( $action ) {
	return substr( hash( 'sha256', $action . USER ), 0, 10 );
}
function rest_url( $path ) {
	return 'https://shop.example/wp-json/' . $path;
}
function admin_url( $path ) {
	return 'https://shop.example/wp-admin/' . $path;
}
function plugins_url( $path ) {
	return 'https://shop.example/plugin/' . $path;
}
function wc_get_page_permalink() {
	return 'https://shop.example/my-account/';
}
function add_query_arg( $name, $value, $url ) {
	return $url . '?' . $name . '=' . $value;
}
function determine_locale() {
	return 'en_GB';
}
function is_wc_endpoint_url() {
	return false;
}
function is_checkout() {
	return false;
}
function wp_register_style() {
}
function wp_enqueue_style() {
}
function esc_attr( $text ) {
	return htmlspecialchars( $text, ENT_QUOTES );
}
function wp_enqueue_script( $handle, $url ) {
	echo '<script defer src="' . esc_attr( $url ) . '"></script>';
}
function wp_add_inline_script( $handle, $text ) {
	echo '<script>' . $text . '</script>';
}

Connection::expect( 'https://laurel.example', 1000 );
Connection::accept(
	array(
		'server'          => 'https://laurel.example',
		'shop_key'        => 'fern',
		'webhook_address' => 'https://laurel.example/webhooks/woocommerce/fern',
		'webhook_secret'  => 'a-webhook-secret-long-enough',
		'widget_secret'   => 'a-widget-secret-long-enough',
	),
	7,
	1060
);
echo '<!doctype html><html lang="en"><title>Mug</title><h1>Mug</h1>';
echo Storefront::earn( 'product', array( 'currency' => 'EUR', 'lines' => '11.0.1.1000.0.100.0' ) );
Checkout::rewards();
Storefront::scripts();
