<?php
/**
 * A reward's code put into the cart by its address: the button “Apply” of the shopper's panel leads here.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Coupon;

defined( 'ABSPATH' ) || exit;

/**
 * Only codes that Laurel made: no link can put anything else into somebody's cart.
 */
final class Codes {

	const ASKED = 'laurel_code';

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_action( 'wp_loaded', array( self::class, 'apply' ), 30 ); // once the cart is loaded.
	}

	/**
	 * Apply what the address names, then show the cart. WooCommerce's own notice says how it went.
	 */
	public static function apply(): void {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- a link of the panel, and only our own codes.
		$code = isset( $_GET[ self::ASKED ] ) && is_string( $_GET[ self::ASKED ] ) ? wc_format_coupon_code( sanitize_text_field( wp_unslash( $_GET[ self::ASKED ] ) ) ) : '';
		if ( '' === $code || ! WC()->cart ) {
			return;
		}
		if ( self::is_ours( $code ) && ! WC()->cart->has_discount( $code ) ) {
			WC()->cart->apply_coupon( $code );
		}
		nocache_headers();
		wp_safe_redirect( wc_get_cart_url() );
		exit;
	}

	/**
	 * Whether Laurel made it.
	 *
	 * @param string $code As WooCommerce writes it.
	 */
	private static function is_ours( string $code ): bool {
		$id = wc_get_coupon_id_by_code( $code );
		return $id > 0 && '' !== (string) ( new WC_Coupon( $id ) )->get_meta( Changes::TAG );
	}
}
