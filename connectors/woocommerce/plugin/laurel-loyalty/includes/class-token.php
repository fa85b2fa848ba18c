<?php
/**
 * Who a shopper is, signed for a short time.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

defined( 'ABSPATH' ) || exit;

/**
 * A JSON Web Token (RFC 7519), HS256 and nothing else.
 */
final class Token {

	const SECONDS = 600; // Laurel takes at most 15 minutes.

	/**
	 * The token; whoever holds it is that customer until it ends.
	 *
	 * @param int    $customer WordPress's id of the user, which is WooCommerce's of the customer.
	 * @param string $secret   The widget secret.
	 * @param int    $now      Unix time.
	 */
	public static function make( int $customer, string $secret, int $now ): string {
		$claims = array(
			'sub' => (string) $customer,
			'iat' => $now,
			'exp' => $now + self::SECONDS,
		);
		$signed = self::part( '{"alg":"HS256","typ":"JWT"}' ) . '.' . self::part( (string) wp_json_encode( $claims ) );
		return $signed . '.' . self::part( hash_hmac( 'sha256', $signed, $secret, true ) );
	}

	/**
	 * Text as a part of a token.
	 *
	 * @param string $text Any bytes.
	 */
	private static function part( string $text ): string {
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- RFC 7515 asks for it.
		return rtrim( strtr( base64_encode( $text ), '+/', '-_' ), '=' );
	}
}
