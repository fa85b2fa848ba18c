<?php
/**
 * A reward's code put into the cart by its address: the button “Apply” of the shopper's panel leads here.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use Exception;
use WC_Coupon;
use WC_Order;

defined( 'ABSPATH' ) || exit;

/**
 * Only codes that Laurel made: no link can put anything else into somebody's cart. And none of them is worth its number in
 * another currency.
 */
final class Codes {

	const ASKED = 'laurel_code';

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_action( 'wp_loaded', array( self::class, 'apply' ), 30 ); // once the cart is loaded.
		add_filter( 'woocommerce_coupon_is_valid', array( self::class, 'is_valid' ), 20, 3 );
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
	 * Where another plugin shows another currency, WooCommerce takes the coupon's bare number: 5.00 that were bought as
	 * dollars would be 5 yen, or 5 dinars. A plugin that converts says another number than what is kept.
	 *
	 * @param mixed       $valid     What was decided so far.
	 * @param mixed       $coupon    The coupon.
	 * @param object|null $discounts Of which cart or order.
	 * @return mixed
	 * @throws Exception With what the shopper reads: WooCommerce takes it for the reason.
	 */
	public static function is_valid( $valid, $coupon, $discounts = null ) {
		if ( ! $valid || ! $coupon instanceof WC_Coupon || '' === (string) $coupon->get_meta( Changes::TAG ) ) {
			return $valid;
		}
		$of       = is_callable( array( $discounts, 'get_object' ) ) ? $discounts->get_object() : null;
		$currency = $of instanceof WC_Order ? $of->get_currency() : get_woocommerce_currency();
		$own      = (string) get_option( 'woocommerce_currency' );
		if ( $currency !== $own && self::is_bare( $coupon ) ) {
			/* translators: %s: a currency such as EUR. */
			throw new Exception( sprintf( esc_html__( 'This code counts in %s and cannot be used in another currency.', 'laurel-loyalty' ), esc_html( $own ) ) );
		}
		return $valid;
	}

	/**
	 * Whether an amount of the coupon is used as it is kept: nobody converts it.
	 *
	 * @param WC_Coupon $coupon One of ours.
	 */
	private static function is_bare( WC_Coupon $coupon ): bool {
		// As it is kept, by no filter: some plugins write the other currency's amount into the coupon that is loaded.
		$kept = array( 'coupon_amount', 'minimum_amount' );
		$used = array( $coupon->is_type( 'percent' ) ? 0.0 : $coupon->get_amount(), $coupon->get_minimum_amount() );
		foreach ( $used as $at => $amount ) {
			if ( (float) $amount > 0 && (float) get_post_meta( $coupon->get_id(), $kept[ $at ], true ) === (float) $amount ) {
				return true;
			}
		}
		return false;
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
